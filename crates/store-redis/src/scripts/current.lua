-- The version of the record in 8 bytes: '' if there is none; nil, and what to answer, if what is there is no record.
local function current(key)
    local head = redis.pcall('GETRANGE', key, 0, 13)
    if type(head) == 'table' then
        return nil, head
    end
    if head == '' then
        if redis.call('EXISTS', key) == 1 then
            return nil, -1
        end
        return ''
    end
    if #head < 14 then
        return nil, -1
    end
    local format, flags, length = struct.unpack('>BBI4', head)
    if format ~= 1 or flags > 1 or redis.call('STRLEN', key) ~= 30 + 32 * flags + length then
        return nil, -1
    end
    return string.sub(head, 7, 14)
end

