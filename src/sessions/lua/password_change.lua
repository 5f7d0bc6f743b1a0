--[[ password_change: set a user's new password and end all sessions except one, because people who knew the old password may have started
     the others. Notifies the servers, which check their sockets.
     KEYS  user   (also the channel to publish on), sessions, details
     ARGV  old_hash (the hash that was checked), new_hash, token_hash (of the session that stays)
     RETURNS  1
     FAILS  INVALID_CREDENTIALS if the password has changed since it was checked, UNAUTHENTICATED if the session has ended ]]
local user, sessions, details = unpack(KEYS)
local old_hash, new_hash, token_hash = unpack(ARGV)

if redis.call('HGET', user, 'password') ~= old_hash then return redis.error_reply('INVALID_CREDENTIALS The password has changed.') end
if not redis.call('ZSCORE', sessions, token_hash) then return redis.error_reply('UNAUTHENTICATED This session has ended. Log in again.') end

redis.call('HSET', user, 'password', new_hash, 'passwordSince', redis.call('TIME')[1])
local ended = false
for _, other in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
  if other ~= token_hash then
    redis.call('ZREM', sessions, other)
    redis.call('HDEL', details, other)
    ended = true
  end
end
if ended then redis.call('SPUBLISH', user, '{"kind":"sessions.ended"}') end
return 1
