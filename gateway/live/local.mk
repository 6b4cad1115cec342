# files of gateway/live
