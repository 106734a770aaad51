yapp_id: a
issuers: [{iss: a, algs: [X]}]
