--[[ withdrawn: questions that were cancelled before any of their answer was written; the assistant must not read them later. A part of the
     scripts that cancel questions. Uses the script's withdrawn (key). ]]
local function withdraw(entry)
  local MOST = 100     -- more than the assistant reads from a room
  local KEPT = 2592000 -- seconds after the last one
  redis.call('ZADD', withdrawn, redis.call('TIME')[1], string.match(entry, '^%S+'))
  redis.call('ZREMRANGEBYRANK', withdrawn, 0, -MOST - 1)
  redis.call('EXPIRE', withdrawn, KEPT)
end
