--[[ sends_charge: charge a user for sends, before or during the sends.
     The bucket is one number: the time (ms) at which all charges so far are paid off, at one send per interval.
     KEYS  bucket
     ARGV  count: number, interval: number (ms per send), burst: number (how many sends may be owed)
     RETURNS  number; ms until the user owes no more than a burst; 0 if that is so now ]]
local bucket = unpack(KEYS)
local count, interval, burst = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local paid = math.max(now, tonumber(redis.call('GET', bucket) or 0)) + count * interval
redis.call('SET', bucket, string.format('%.0f', paid), 'PX', string.format('%.0f', paid - now))
return math.max(0, math.ceil(paid - now - burst * interval))
