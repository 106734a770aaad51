yapp_id: ÿş
