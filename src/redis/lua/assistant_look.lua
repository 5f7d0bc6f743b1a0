--[[ assistant_look: read the answer that is being written in a room, or that ended a moment ago.
     KEYS  reply, writing
     gives {version, question, state, problem, text so far}, or nil if there is none ]]
local reply, writing = unpack(KEYS)

local version, entry, state, problem = unpack(redis.call('HMGET', reply, 'version', 'entry', 'state', 'problem'))
if not version then return nil end
return { tonumber(version), string.match(entry, '^%S+'), state, problem, redis.call('GET', writing) or '' }
