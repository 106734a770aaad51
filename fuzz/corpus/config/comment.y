y# nothing
