yapp_id: a
issuers: [{iss: "*"}]
