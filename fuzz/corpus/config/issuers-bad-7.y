yapp_id: a
issuers: [{iss: a, key_files: [{path: x}], algs: [RS256]},{iss: b, key_source: keyserver, key_server: https://b},{iss: c, app_secret: short, algs: [HS512]},{iss: d}]
