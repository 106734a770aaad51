yapp_id: &a b
x: *a
