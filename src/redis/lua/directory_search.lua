--[[ directory_search: names that begin in some way, in order, and how many users have one.
     KEYS  directory, total_users, indexed
     ARGV  beginning, after, before (entries, '' for none), direction (FORWARD or BACKWARD), count, most (users to count)
     gives {entries (name, a zero byte, user id), users (at most so many), ids that were not looked at} ]]
local directory, total_users, indexed = unpack(KEYS)
local beginning, after, before, direction, count, most = unpack(ARGV)

-- In UTF-8 no text has a byte 255, so all that begins so comes before it.
local from, to = '[' .. beginning, '(' .. beginning .. '\255'
local first, last = after == '' and from or '(' .. after, before == '' and to or '(' .. before
local entries
if direction == 'BACKWARD' then
  entries = redis.call('ZRANGE', directory, last, first, 'BYLEX', 'REV', 'LIMIT', 0, count)
else
  entries = redis.call('ZRANGE', directory, first, last, 'BYLEX', 'LIMIT', 0, count)
end

-- A user may have several such names: counting stops after so many entries, even if they belong to fewer.
local users, seen = 0, {}
for _, entry in ipairs(redis.call('ZRANGE', directory, from, to, 'BYLEX', 'LIMIT', 0, most)) do
  local id = string.match(entry, '%z(%d+)$')
  if id and not seen[id] then users, seen[id] = users + 1, true end
end
local total = redis.pcall('GET', total_users)
local up_to = tonumber(redis.call('HGET', indexed, 'up_to')) or 0
return { entries, users, (type(total) == 'string' and tonumber(total) or 0) - up_to }
