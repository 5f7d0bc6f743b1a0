--[[ cancelled: which questions their users have cancelled. A part of the scripts that cancel or answer questions. Uses the script's
     cancelled and withdrawn. The hash `cancelled` has for each user the last event (its seq) at the time of the cancellation. ]]
local CANCELLED_KEPT = 2592000 -- seconds after the last one

-- @param event its seq
local function is_cancelled(event, user)
  return tonumber(redis.call('HGET', cancelled, user) or 0) >= tonumber(event)
end

-- Notes a question that was cancelled before any of its answer was written; the assistant must not read it later.
local function withdraw(question)
  local MOST = 100 -- more than the assistant reads from a room
  redis.call('ZADD', withdrawn, redis.call('TIME')[1], question)
  redis.call('ZREMRANGEBYRANK', withdrawn, 0, -MOST - 1)
  redis.call('EXPIRE', withdrawn, CANCELLED_KEPT)
end
