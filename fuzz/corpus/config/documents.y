y---
app_id: a
---
app_id: b
