yapp_id: a
key_files: [{path: a},{path: b}]
