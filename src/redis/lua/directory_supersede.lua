--[[ directory_supersede: let the directory of an older version go in a while, once the present one is complete. Its servers, should some run
     yet or come back, index all accounts again when it has gone.
     KEYS  former_directory, former_indexed
     ARGV  kept (s)
     gives 1 if it was there, and was to stay, else 0 ]]
local former_directory, former_indexed = unpack(KEYS)
local kept = unpack(ARGV)

redis.call('EXPIRE', former_indexed, kept, 'NX')
return redis.call('EXPIRE', former_directory, kept, 'NX')
