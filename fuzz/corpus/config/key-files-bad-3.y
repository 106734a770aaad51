yapp_id: a
key_files: [{kid: a, path: a},{kid: a, path: b}]
