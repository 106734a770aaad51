yapp_id: a
key_source: jwks
issuers: [{iss: b, app_secret: x, algs: [ES256]}]
role_mode: first-user
honour_deny: true
allow_guests: true
