yapp_id: a
key_source: keyserver
claim_rules: [{path: a, op: has, value: b, then: grant}]
algs: [HS256]
