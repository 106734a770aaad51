yapp_id: [a
