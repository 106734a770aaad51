yissuers: [{iss: a, iss: b}]
