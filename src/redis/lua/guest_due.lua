--[[ guest_due: take on guests at whom it is time to look. Another server takes them on once the lease has run out, unless they
     were scheduled again or taken off the list by then.
     KEYS  guests
     ARGV  most, lease (s)
     gives their ids ]]
local guests = unpack(KEYS)
local most, lease = unpack(ARGV)

local now = tonumber(redis.call('TIME')[1])
local due = redis.call('ZRANGEBYSCORE', guests, '-inf', now, 'LIMIT', 0, most)
for _, user in ipairs(due) do redis.call('ZADD', guests, now + lease, user) end
return due
