# files of gateway/core
