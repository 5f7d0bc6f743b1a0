--[[ message_member: whether a user who changes a message may still be in its room. A part of each script that does so, whose members
     and user it uses, and prefix of message_id. Sets role (in a group room). ]]
local role = redis.call('HGET', members, user)
if not role and redis.call('EXISTS', members) == 1 then
  return redis.error_reply('NOT_A_MEMBER ' .. string.sub(prefix, 1, -2))
end
