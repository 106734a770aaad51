yapp_id: a
app_id: b
odd_key: c
ap_id: d
allow_guests:
