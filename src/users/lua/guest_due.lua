--[[ guest_due: claim guests that are due for a check. After the lease another server can claim them, unless they were scheduled again or
     removed from the list before.
     KEYS  guests
     ARGV  most: number, lease: number (s)
     RETURNS  string[]; their ids ]]
local guests = unpack(KEYS)
local most, lease = unpack(ARGV)

local now = tonumber(redis.call('TIME')[1])
local due = redis.call('ZRANGEBYSCORE', guests, '-inf', now, 'LIMIT', 0, most)
for _, user in ipairs(due) do redis.call('ZADD', guests, now + lease, user) end
return due
