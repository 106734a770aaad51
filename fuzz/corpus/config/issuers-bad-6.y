yapp_id: a
issuers: [{iss: a, key_source: odd}]
