<?php // php mint.php KEYFILE SUBJECT: prints a token that is valid for an hour.
function encode(string $data): string
{
	return rtrim(strtr(base64_encode($data), '+/', '-_'), '=');
}

function mint(string $secret, string $subject, array $rights, int $seconds = 3600): string
{
	$now = time();
	$claims = ['sub' => $subject, 'iat' => $now, 'exp' => $now + $seconds, 'sluice' => $rights];
	$signed = encode(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' . encode(json_encode($claims));
	return $signed . '.' . encode(hash_hmac('sha256', $signed, $secret, true));
}

$secret = trim(file_get_contents($argv[1]));
echo mint($secret, $argv[2], ['subscribe' => ['chat.*'], 'publish' => ['chat.42']]), "\n";
