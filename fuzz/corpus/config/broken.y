yapp_id: "a
