yapp_id: a
issuers: [{iss: a, odd: b}]
