# varnishd -a :80 -f varnish.vcl -p pipe_timeout=3600
vcl 4.1;

backend sluice {
	.host = "127.0.0.1";
	.port = "8080";
	.first_byte_timeout = 75s;
	.between_bytes_timeout = 75s;
}

sub vcl_recv {
	# The default ends every response after ten minutes.
	set sess.send_timeout = 24h;
	if (req.http.Upgrade) {
		return (pipe);
	}
	return (pass);
}

sub vcl_pipe {
	if (req.http.Upgrade) {
		set bereq.http.Upgrade = req.http.Upgrade;
		set bereq.http.Connection = req.http.Connection;
	}
}
