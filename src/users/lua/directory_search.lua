--[[ directory_search: find the names with a prefix, in order, and count the users who have one.
     KEYS  directory, total_users, indexed
     ARGV  beginning, after, before (entries, '' for none), direction: "FORWARD" | "BACKWARD", count: number, most: number (users to count)
     RETURNS  [entries: string[], users: number, missing: number]; entries (name, a zero byte, user id), the number of users (at most
           `most`), and the number of user ids not in the directory yet ]]
local directory, total_users, indexed = unpack(KEYS)
local beginning, after, before, direction, count, most = unpack(ARGV)

-- UTF-8 has no byte 255, so all names with the prefix sort before it.
local from, to = '[' .. beginning, '(' .. beginning .. '\255'
local first, last = after == '' and from or '(' .. after, before == '' and to or '(' .. before
local entries
if direction == 'BACKWARD' then
  entries = redis.call('ZRANGE', directory, last, first, 'BYLEX', 'REV', 'LIMIT', 0, count)
else
  entries = redis.call('ZRANGE', directory, first, last, 'BYLEX', 'LIMIT', 0, count)
end

-- A user may have several such names: counting stops after `most` entries, even if they belong to fewer users.
local users, seen = 0, {}
for _, entry in ipairs(redis.call('ZRANGE', directory, from, to, 'BYLEX', 'LIMIT', 0, most)) do
  local id = string.match(entry, '%z(%d+)$')
  if id and not seen[id] then users, seen[id] = users + 1, true end
end
local total = redis.pcall('GET', total_users)
local up_to = tonumber(redis.call('HGET', indexed, 'up_to')) or 0
return { entries, users, (type(total) == 'string' and tonumber(total) or 0) - up_to }
