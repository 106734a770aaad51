y﻿app_id: a
