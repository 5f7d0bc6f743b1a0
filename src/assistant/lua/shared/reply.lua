--[[ reply: the answer that the assistant writes in a room. A part of the scripts that read or write it. Uses the script's reply, writing
     and room. The hash `reply` has the question's event (`event`, its seq) and message (`question`); `state` and `problem`; and `version`,
     which rises by one at each event. ]]

-- Publishes an event. Subscribers see from the version whether they have missed one. An offset of 0 restarts the text.
local function tell(question, state, offset, delta, problem)
  local SHOWN = 60 -- seconds that an ended answer stays readable for clients that were away
  local time = redis.call('TIME')
  -- The time is higher than any version that was used here before.
  redis.call('HSETNX', reply, 'version', string.format('%.0f', time[1] * 1000000 + time[2]))
  local version = redis.call('HINCRBY', reply, 'version', 1)
  redis.call('HSET', reply, 'question', question, 'state', state, 'problem', problem)
  if state ~= 'WRITING' then
    redis.call('EXPIRE', reply, SHOWN)
    redis.call('EXPIRE', writing, SHOWN)
  end
  redis.call('SPUBLISH', room, string.format('{"kind":"assistant.reply","replyTo":"%s","state":"%s","version":%.0f,"offset":%d,"delta":%s,"problem":%s}',
    question, state, version, offset, cjson.encode(delta), problem == '' and 'null' or cjson.encode(problem)))
end
