--[[ message_member: checks that a user who changes a message is still a member of its room. A part of each script that changes one. Uses
     the script's members and user, and prefix of message_id. Sets role (in a group room). ]]
local role = redis.call('HGET', members, user)
if not role and redis.call('EXISTS', members) == 1 then
  return redis.error_reply('NOT_A_MEMBER ' .. string.sub(prefix, 1, -2))
end
