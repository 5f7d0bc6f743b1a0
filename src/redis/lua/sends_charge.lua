--[[ sends_charge: charge a user for sends before they are made, or while they are.
     The bucket is one number: the moment (ms) at which all that was charged so far is worked off, one send per interval.
     KEYS  bucket
     ARGV  count, interval (ms per send), burst (how many sends may be owed)
     gives ms from now until the user owes no more than a burst again; 0 where that is so ]]
local bucket = unpack(KEYS)
local count, interval, burst = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local paid = math.max(now, tonumber(redis.call('GET', bucket) or 0)) + count * interval
redis.call('SET', bucket, string.format('%.0f', paid), 'PX', string.format('%.0f', paid - now))
return math.max(0, math.ceil(paid - now - burst * interval))
