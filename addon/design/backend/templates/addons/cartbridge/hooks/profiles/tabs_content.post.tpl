{if $cartbridge_user_id}
<div id="content_cartbridge" class="hidden">
    {include file="addons/cartbridge/views/cartbridge/customer.tpl"}
    {if $cartbridge_known.stale}
        <script>
        (function (_, $) {
            $(function () {
                $.ceAjax('request', '{"cartbridge.customer?user_id=`$cartbridge_user_id`"|fn_url:"A":"current"|escape:javascript nofilter}', {
                    method: 'get', result_ids: 'cartbridge_view', hidden: true, caching: false
                });
            });
        }(Tygh, Tygh.$));
        </script>
    {/if}

    {include file="common/subheader.tpl" title=__("cartbridge.shared_tags")}
    <input type="hidden" name="cartbridge_user_id" value="{$cartbridge_user_id}" />
    <p>
        {foreach $cartbridge_tags as $tag}
            <span class="label">{$tag}</span>
            <a class="cm-post" href="{"cartbridge.tag_remove?cartbridge_user_id=`$cartbridge_user_id`&cartbridge_tag=`$tag|escape:url`"|fn_url}" title="{__("delete")}">&times;</a>
        {foreachelse}
            {__("cartbridge.none")}
        {/foreach}
    </p>
    <p>
        <input type="text" name="cartbridge_tag" maxlength="100" value="" />
        <input type="submit" class="btn cm-skip-validation" name="dispatch[cartbridge.tag_add]" value="{__("cartbridge.add_tag")}" />
    </p>

    {include file="common/subheader.tpl" title=__("cartbridge.shared_notes")}
    {foreach $cartbridge_notes as $note}
        <div class="well">
            <p class="muted">
                {$note.author} {$note.created_at|date_format:"`$settings.Appearance.date_format`, `$settings.Appearance.time_format`"}
                <a class="cm-post cm-confirm" href="{"cartbridge.note_delete?cartbridge_user_id=`$cartbridge_user_id`&note_id=`$note.note_id`"|fn_url}">{__("delete")}</a>
            </p>
            <p>{$note.body|escape|nl2br nofilter}</p>
        </div>
    {foreachelse}
        <p>{__("cartbridge.none")}</p>
    {/foreach}
    <p><textarea name="cartbridge_body" rows="4" class="input-large" placeholder="{__("cartbridge.note_hint")}"></textarea></p>
    <p><input type="submit" class="btn cm-skip-validation" name="dispatch[cartbridge.note_add]" value="{__("cartbridge.add_note")}" /></p>
<!--content_cartbridge--></div>
{/if}
