yapp_id: a
issuers: [{iss: a, jwks: j, key_server: https://k, known_kids: [k]}]
