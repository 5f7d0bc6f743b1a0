--[[ invitation: the open invitations to a group. A part of each script that reads or writes them. Uses the script's invited (key), lasts
     (seconds that an invitation is open) and now (µs). ]]

-- The inviter of the user, and when (µs); nil without an open invitation.
local function open_invitation(user)
  local by, at = string.match(redis.call('HGET', invited, user) or '', '^(%d+) (%d+)$')
  if by and tonumber(at) > now - lasts * 1000000 then return by, at end
  return nil
end

local function invite(user, by)
  redis.call('HSET', invited, user, string.format('%s %.0f', by, now))
  redis.call('EXPIRE', invited, lasts)
end

-- Removes expired invitations.
local function drop_expired()
  for _, user in ipairs(redis.call('HKEYS', invited)) do
    if not open_invitation(user) then redis.call('HDEL', invited, user) end
  end
end
