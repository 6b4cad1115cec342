# files of gateway/http
