yapp_id: a
key_files: [{kid: "", path: a}]
