yapp_id: a
key_files: [{kid: a, path: b, odd: c}]
