--[[ assistant_look: read the answer that is being written in a room, or that ended a moment ago.
     KEYS  reply, writing
     RETURNS  [version: number, question: string, state: "WRITING" | "DONE" | "INCOMPLETE" | "CANCELLED" | "FAILED", problem: string,
           text: string] | null; the question's id, the problem or '', and the text so far; null if there is no answer ]]
local reply, writing = unpack(KEYS)

local version, question, state, problem = unpack(redis.call('HMGET', reply, 'version', 'question', 'state', 'problem'))
if not version then return nil end
return { tonumber(version), question, state, problem, redis.call('GET', writing) or '' }
