--[[ withdrawn: questions that were cancelled before a word of their answer was written, which the assistant is not to read later. A part of
     the scripts that cancel, whose withdrawn (key) it uses. ]]
local function withdraw(entry)
  local MOST = 100     -- more than the assistant reads of a room
  local KEPT = 2592000 -- seconds from the last one on
  redis.call('ZADD', withdrawn, redis.call('TIME')[1], string.match(entry, '^%S+'))
  redis.call('ZREMRANGEBYRANK', withdrawn, 0, -MOST - 1)
  redis.call('EXPIRE', withdrawn, KEPT)
end
