--[[ reply: the answer that the assistant writes in a room. A part of the scripts that read or write it. Uses the script's reply, writing
     and room. The hash `reply` has the question (`entry`, as in `asked`) and the number of tries (`tries`); `state` and `problem`;
     `cancelled`; `edited`, once the question's text has changed, and the number of restarts of the answer for that reason (`restarts`);
     the lease of the worker that writes: `fence`, a random string, and `until` (ms); and `version`, which rises by one at each event. ]]
local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Publishes an event. Subscribers see from the version whether they have missed one. An offset of 0 restarts the text.
local function tell(entry, state, offset, delta, problem)
  local SHOWN = 60 -- seconds that an ended answer stays readable for clients that were away
  -- The time is higher than any version that was used here before.
  redis.call('HSETNX', reply, 'version', string.format('%.0f', clock[1] * 1000000 + clock[2]))
  local version = redis.call('HINCRBY', reply, 'version', 1)
  redis.call('HSET', reply, 'state', state, 'problem', problem)
  if state ~= 'WRITING' then
    redis.call('HDEL', reply, 'tries', 'cancelled', 'edited', 'restarts')
    redis.call('EXPIRE', reply, SHOWN)
    redis.call('EXPIRE', writing, SHOWN)
  end
  redis.call('SPUBLISH', room, string.format('{"kind":"assistant.reply","replyTo":"%s","state":"%s","version":%.0f,"offset":%d,"delta":%s,"problem":%s}',
    string.match(entry, '^%S+'), state, version, offset, cjson.encode(delta), problem == '' and 'null' or cjson.encode(problem)))
end

-- Whether the worker with this fencing token still holds the room. A worker that does not must stop at once.
local function is_mine(fence)
  return redis.call('HGET', reply, 'fence') == fence
end
