--[[ directory_mentioned: find the users with these usernames, as mentions compare them.
     KEYS  directory, total_users, indexed
     ARGV  ...name_keys: string[] (keys of usernames)
     RETURNS  [ids: string[], missing: number]; for each key the id of the oldest account with that name or '', and the number of user ids
           not in the directory yet ]]
local directory, total_users, indexed = unpack(KEYS)

local FEW = 10 -- accounts whose usernames differ only in letter case
local ids = {}
for index, key in ipairs(ARGV) do
  local oldest
  for _, entry in ipairs(redis.call('ZRANGE', directory, '[\0' .. key .. '\0', '(\0' .. key .. '\1', 'BYLEX', 'LIMIT', 0, FEW)) do
    local id = string.match(entry, '%z(%d+)$')
    if id and (not oldest or tonumber(id) < tonumber(oldest)) then oldest = id end
  end
  ids[index] = oldest or ''
end
local total = redis.pcall('GET', total_users)
local up_to = tonumber(redis.call('HGET', indexed, 'up_to')) or 0
return { ids, (type(total) == 'string' and tonumber(total) or 0) - up_to }
