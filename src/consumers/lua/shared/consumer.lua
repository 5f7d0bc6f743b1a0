--[[ consumer: a consumer's place in a room's log. A part of the scripts of consumers. Uses the script's consumed, name (of the consumer) and
     fence (a random string of the process that handles the room). ]]

-- Whether this process still holds the room. A process that does not must stop at once.
local function is_mine()
  return redis.call('HGET', consumed, name .. ':fence') == fence
end

local function hold(lease)
  local time = redis.call('TIME')
  redis.call('HSET', consumed, name .. ':fence', fence, name .. ':until', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + lease))
end

-- Moves the consumer's place behind the event that it has handled.
local function pass(event)
  local epoch_and_time = string.match(redis.call('HGET', consumed, name) or '', '^%d+( .*)$')
  if epoch_and_time then redis.call('HSET', consumed, name, string.format('%d', event + 1) .. epoch_and_time) end
  redis.call('HDEL', consumed, name .. ':tries')
end
