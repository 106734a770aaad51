yissuers: [{[a]: b}]
