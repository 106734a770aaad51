yapp_id: a
issuers: [{iss: a, app_secret: s},{iss: a}]
