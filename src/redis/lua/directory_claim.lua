--[[ directory_claim: take on the next portion of the accounts that the directory, or the list of what usernames look like, has not looked at.
     KEYS  total_users, indexed
     ARGV  server, lease (s, after which another server may take over)
     gives {up_to (the id up to which it has looked), total (the last id)}, or nil while another server is at it ]]
local total_users, indexed = unpack(KEYS)
local server, lease = unpack(ARGV)

local now = tonumber(redis.call('TIME')[1])
local holder, deadline, up_to = unpack(redis.call('HMGET', indexed, 'server', 'deadline', 'up_to'))
if holder and holder ~= server and now < tonumber(deadline) then return nil end
redis.call('HSET', indexed, 'server', server, 'deadline', now + lease)
local total = redis.pcall('GET', total_users)
return { tonumber(up_to) or 0, type(total) == 'string' and tonumber(total) or 0 }
