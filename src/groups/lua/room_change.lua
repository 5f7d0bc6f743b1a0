--[[ room_change: rename a group room, or change whether members may add others.
     KEYS  room, log, meta, foreign, own, consumed, members
     ARGV  new_epoch, log_length, watched: boolean, by, roles: readonly string[] (that may do it), name ('' for no change), may_invite: boolean | "" ('' for no change)
     RETURNS  1
     FAILS  NOT_A_MEMBER, FORBIDDEN ]]
local room, log, meta, foreign, own, consumed, members = unpack(KEYS)
local new_epoch, log_length, watched, by, roles, name, may_invite = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: rights

local role = redis.call('EXISTS', members) == 1 and role_of(by)
if not role then return redis.error_reply('NOT_A_MEMBER ' .. string.sub(room, #'room:' + 1)) end
if not has_right(role) then return redis.error_reply('FORBIDDEN Only the owner of the room may do that.') end

if may_invite ~= '' then redis.call('HSET', meta, 'mayInvite', may_invite) end
if name ~= '' and name ~= redis.call('HGET', meta, 'name') then
  redis.call('HSET', meta, 'name', name)
  append('room.renamed', next_time(), string.format('"name":%s,"by":"%s"', cjson.encode(name), by))
end
return 1
