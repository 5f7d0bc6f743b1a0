--[[ directory_supersede: let the directory of an older version expire once the current one is complete. If servers of that version still
     run or return, they index all accounts again after it has expired.
     KEYS  former_directory, former_indexed
     ARGV  kept: number (s until it expires)
     RETURNS  0 | 1; 1 if it existed without an expiry ]]
local former_directory, former_indexed = unpack(KEYS)
local kept = unpack(ARGV)

redis.call('EXPIRE', former_indexed, kept, 'NX')
return redis.call('EXPIRE', former_directory, kept, 'NX')
