yapp_id: !!str a
