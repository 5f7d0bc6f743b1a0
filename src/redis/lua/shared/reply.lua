--[[ reply: the answer that the assistant writes in a room. A part of the scripts that have to do with it, whose reply, writing and room
     it uses. `reply` has the question (`entry`, as in `asked`) and how often it was taken (`tries`); `state` and `problem`; `cancelled`; `edited`, once the question has
     another text, and how often it was begun again for that (`restarts`); the
     lease of the worker that writes: `fence`, a random string, and `until` (ms); and `version`, one more at each event. ]]
local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Tells the followers: they know by the version whether they have missed something. An offset of 0 begins the text anew.
local function tell(entry, state, offset, delta, problem)
  local SHOWN = 60 -- seconds for which an end is shown to who was away
  -- A version that was ever used here is lower than the time.
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

-- Whether the worker with this fence still writes here. Who finds another's has to stop at once.
local function is_mine(fence)
  return redis.call('HGET', reply, 'fence') == fence
end
